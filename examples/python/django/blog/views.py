"""The pages."""

import json

from django.contrib import messages
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, ListView, UpdateView

from holdfast import topics

from .models import Post


class Index(ListView):
    queryset = Post.objects.select_related("author")


class SignUp(CreateView):
    form_class = UserCreationForm
    template_name = "registration/signup.html"
    success_url = reverse_lazy("login")


class Editing(LoginRequiredMixin):
    """What people do with their own posts."""

    model = Post
    fields = ["title", "body"]
    success_url = reverse_lazy("index")

    def get_queryset(self):
        return Post.objects.filter(author=self.request.user)


class Create(Editing, CreateView):
    def form_valid(self, form):
        form.instance.author = self.request.user
        messages.success(self.request, "Your post is there for everybody to see.")
        # Open pages show it once it is kept: the host holds their sockets.
        news = json.dumps({"title": form.instance.title, "author": self.request.user.username})
        transaction.on_commit(lambda: topics.publish("posts", news))
        return super().form_valid(form)


class Update(Editing, UpdateView):
    pass


class Delete(Editing, DeleteView):
    pass
